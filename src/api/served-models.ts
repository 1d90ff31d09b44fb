import { decodeModel } from '../../compute/onnx/model.ts'
import type { ModelSignature } from '../../compute/onnx/signature.ts'
import { modelSignature } from '../../compute/onnx/signature.ts'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { OpenHouse } from '../coordinator/coordinator.ts'
import type { Desks } from '../coordinator/desks.ts'
import { epochNow } from '../coordinator/epoch-now.ts'
import type { Genesis } from '../coordinator/genesis.ts'
import { RefusedError } from '../coordinator/refused-error.ts'
import type { MarketModel } from '../subnet/markets.ts'
import { assertWorking } from './open-house.ts'

const UNLOADED = 'unloaded by the operator'
/** Some kB each; reading one anew means reading a model of up to 512 MiB. */
const MAX_SIGNATURES = 1_024

/** What serving takes of the coordinator: its models, its queue, and the height that says which epoch it is. */
export interface ServingHouse {
  readonly books: { readonly blobs: Pick<BlobStore, 'get'> }
  advancedTo(): number | null
  house(): ServingRooms | null
}

interface ServingRooms {
  readonly genesis: Pick<Genesis, 'epoch'>
  readonly desks: {
    readonly canaries: Pick<Desks['canaries'], 'giveBack' | 'isDue' | 'take'>
    readonly charges: Pick<Desks['charges'], 'assertCover' | 'quoteMsat'>
    readonly market: Pick<Desks['market'], 'modelNamed' | 'subnetsAt'>
    readonly requesters: Pick<Desks['requesters'], 'authenticate'>
    readonly requests: Pick<Desks['requests'], 'ask' | 'heldMsat'>
  }
  readonly anchorer: Pick<OpenHouse['anchorer'], 'judgement'>
}

export interface ServedModel extends MarketModel {
  /** As the protocol writes it. */
  readonly version: string
  readonly signature: ModelSignature
}

/** A row of Triton's model repository index. */
interface IndexRow {
  readonly name: string
  readonly version: string
  readonly state: 'READY' | 'UNAVAILABLE'
  readonly reason: string
}

export interface ServedModels {
  /** Throws RefusedError 503: `not_open`, `log_halted`, `epoch_not_started`. */
  desks(): ServingRooms['desks'] & { readonly epoch: number }
  /** Throws RefusedError: 404 `model_unknown`, `version_unknown`, 503 `not_open`, `model_missing`, `model_unloaded`. */
  find(name: string, version: string | null): ServedModel
  /** By name. Throws RefusedError 503 `not_open`. */
  index(): IndexRow[]
  /** Takes requests for it again; without effect where it does. Throws RefusedError: 404 `model_unknown`, 503 `not_open`, `model_missing`. */
  load(name: string): void
  /** Takes no more requests for it; those that wait are still answered. Throws RefusedError: 404 `model_unknown`, 503 `not_open`. */
  unload(name: string): void
}

/** The models that requests may name now, by the newest definition that is effective for the next block. */
export function openServedModels(coordinator: ServingHouse): ServedModels {
  const signatures = new Map<string, ModelSignature>()
  /** Of names that were served: as many as the log's definitions have. */
  const unloaded = new Set<string>()

  function rooms(): ServingRooms {
    const house = coordinator.house()
    if (house === null) {
      throw new RefusedError(503, 'not_open', 'the log is not open yet: its first seal is not there')
    }
    return house
  }

  function offered(name: string): MarketModel {
    const { genesis, desks } = rooms()
    const found = desks.market.modelNamed(name, epochNow(coordinator, genesis) ?? 0)
    if (found === null) throw new RefusedError(404, 'model_unknown', 'no model of this name is served')
    return found
  }

  function signatureOf(digest: string): ModelSignature {
    const known = signatures.get(digest)
    if (known !== undefined) return known
    const bytes = coordinator.books.blobs.get(digest)
    if (bytes === null) throw new RefusedError(503, 'model_missing', `the blob of model ${digest} is missing`)
    const signature = modelSignature(decodeModel(bytes))
    const [oldest] = signatures.keys()
    if (signatures.size >= MAX_SIGNATURES && oldest !== undefined) signatures.delete(oldest)
    signatures.set(digest, signature)
    return signature
  }

  return {
    desks() {
      const { genesis, desks, anchorer } = rooms()
      assertWorking(anchorer)
      const epoch = epochNow(coordinator, genesis)
      if (epoch === null) {
        // Work is leased, and paid, by epoch.
        const { startHeight } = genesis.epoch
        throw new RefusedError(503, 'epoch_not_started', `epoch 0 starts at block ${startHeight}`)
      }
      return { ...desks, epoch }
    },

    find(name, version) {
      const found = offered(name)
      const served = String(found.model.version)
      if (version !== null && version !== served) {
        throw new RefusedError(404, 'version_unknown', `version ${served} of ${name} is served`)
      }
      if (unloaded.has(name)) throw new RefusedError(503, 'model_unloaded', UNLOADED)
      return {
        ...found,
        version: served,
        signature: signatureOf(Buffer.from(found.model.digest).toString('hex')),
      }
    },

    index() {
      const { genesis, desks } = rooms()
      const models = desks.market
        .subnetsAt(epochNow(coordinator, genesis) ?? 0)
        .flatMap((subnet) => subnet.models)
      // Of subnets that share a name, requests get the first one's.
      const versions = new Map(models.toReversed().map(({ name, version }) => [name, String(version)]))
      return [...versions]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, version]) => {
          const isReady = !unloaded.has(name)
          const state = isReady ? 'READY' : 'UNAVAILABLE'
          return { name, version, state, reason: isReady ? '' : UNLOADED }
        })
    },

    load(name) {
      signatureOf(Buffer.from(offered(name).model.digest).toString('hex'))
      unloaded.delete(name)
    },

    unload(name) {
      offered(name)
      unloaded.add(name)
    },
  }
}
