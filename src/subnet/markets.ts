import type { SubnetDefinition, SubnetModel } from './definition.ts'

/** A model, under the definition that counts. */
export interface MarketModel {
  readonly subnet: SubnetDefinition
  readonly model: SubnetModel
}

/** Every definition logged so far, and which of them counts: the coordinator and who replays its log ask the same. */
export interface Markets {
  add(definition: SubnetDefinition): void
  /** In the order of the log. */
  all(): readonly SubnetDefinition[]
  /** The newest of each subnet that is effective at `epoch`, by name. */
  subnetsAt(epoch: number): SubnetDefinition[]
  /** By the newest definition of the subnet with this model that is effective at `epoch`: that of the job. */
  model(subnet: string, digest: Uint8Array, epoch: number): MarketModel | null
  /** Definitions of the subnet that have both a dataset and this model, oldest first. */
  withDataset(subnet: string, model: Uint8Array): readonly (SubnetDefinition & { dataset: Dataset })[]
}

type Dataset = NonNullable<SubnetDefinition['dataset']>

export function openMarkets(): Markets {
  const definitions: SubnetDefinition[] = []
  /** Asked once for each receipt, and the answer changes only with a definition. */
  const effective = new Map<number, SubnetDefinition[]>()

  return {
    add(definition) {
      definitions.push(definition)
      effective.clear()
    },
    all: () => definitions,
    subnetsAt(epoch) {
      const known = effective.get(epoch)
      if (known !== undefined) return known
      const newest = new Map(
        definitions
          .filter(({ effectiveEpoch }) => effectiveEpoch <= epoch)
          .map((definition) => [definition.name, definition]),
      )
      const sorted = [...newest.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
      effective.set(epoch, sorted)
      return sorted
    },
    model(name, digest, epoch) {
      const isAsked = (one: SubnetModel) => Buffer.compare(one.digest, digest) === 0
      const subnet = definitions.findLast(
        (one) => one.name === name && one.effectiveEpoch <= epoch && one.models.some(isAsked),
      )
      const model = subnet?.models.find(isAsked)
      return subnet === undefined || model === undefined ? null : { subnet, model }
    },
    withDataset: (name, digest) =>
      definitions.flatMap(({ dataset, ...rest }) => {
        const isMeant =
          rest.name === name && rest.models.some((one) => Buffer.compare(one.digest, digest) === 0)
        return isMeant && dataset !== null ? [{ ...rest, dataset }] : []
      }),
  }
}
