import assert from 'node:assert/strict'
import { hex } from '../work/hex.ts'
import { isClaimable, type OutputBounds } from '../work/model-profile.ts'
import { sha256 } from '../work/tagged-hash.ts'
import { boundsFor, MARGIN, spreadOf } from './calibrate-bounds.ts'
import { cheapenModel, WEIGHT_CHEATS } from './calibrate-cheats.ts'
import { runPlainly } from './calibrate-record.ts'
import { CalibrationError, inputsDigest, type MachineRuns } from './calibrate-runs.ts'
import { tolerantBounds } from './compare-outputs.ts'
import { compareTolerant, type TolerantBounds } from './tolerant.ts'

/** Rule of three: with no fail among n honest runs, 3/n is the 95 % bound of the rate. */
const UNSEEN_FAILS = 3

/** Of the numbers themselves: no bound says anything then. */
const MAX_SPREAD = 1

/** The statistic of suspensions takes no more (src/rules/cusum-evidence.ts). */
const MAX_FALSE_FAIL_RATE = 1 / 20

interface CalibrationTask {
  model: Uint8Array
  /** Input bundles: every other one sets the bounds, the rest measures them. */
  inputs: readonly Uint8Array[]
  /** Recorded here and elsewhere; the first run of the first machine is what audits compare with. */
  machines: readonly MachineRuns[]
  /** For outputs that decide: how many of the largest numbers of the last axis are the decision. */
  decisions: Readonly<Record<string, number>>
  /** Models that are cheaper or wrong, by name, to try beside changed weights. */
  rivals: Readonly<Record<string, Uint8Array>>
  /** Cheats that the subnet claims to catch: names of `WEIGHT_CHEATS` and of `rivals`; null for all that this model has. */
  claims: readonly string[] | null
  /** Counts the runs of cheats. */
  onProgress?: (done: number, of: number) => void
}

interface Detection {
  cheat: string
  runs: number
  caught: number
  /** d: the share that was caught. */
  detection: number
  claimed: boolean
}

/** All that a subnet records of a calibration, for JSON. */
export interface Calibration {
  /** SHA-256 of the model, hex. */
  model: string
  /** Hex; `inputsDigest`. */
  inputs: string
  machines: { machine: string; configurations: string[] }[]
  /** Honest spread by output, and how much wider the bounds are. */
  spread: Record<string, number>
  margin: number
  bounds: OutputBounds[]
  honest: { runs: number; failed: number }
  /** Upper bound of the rate at which honest work fails. */
  p0: { numerator: number; denominator: number }
  detections: Detection[]
  /** Why the calibration can't be used; empty when it can. */
  refusals: string[]
}

/**
 * Sets a model's bounds from what honest machines differ by, and measures on other inputs how often they fail honest work and catch each
 * cheat. Throws CalibrationError for runs of another model or of other inputs, RunError for a model that doesn't run.
 */
export async function calibrate(task: CalibrationTask): Promise<Calibration> {
  const { model, inputs, machines, decisions, rivals, claims, onProgress = () => {} } = task
  for (const runs of machines) checkWork(runs, model, inputs)
  const unseen = inputs.map((_, place) => place).filter((place) => place % 2 === 1)
  const spreads = spreadOf(
    inputs.flatMap((_, place) => (place % 2 === 0 ? [distinctOutputs(machines, place)] : [])),
  )
  const isBounded = (name: string) => (spreads.get(name)?.spread ?? MAX_SPREAD) < MAX_SPREAD
  const bounds = [...spreads].flatMap(([name, spread]) =>
    isBounded(name)
      ? [boundsFor(name, spread, Object.hasOwn(decisions, name) ? decisions[name] : undefined)]
      : [],
  )
  const limits = tolerantBounds(bounds)

  const own = outputsOf(machines[0], 0)
  const others = machines.flatMap((machine, place) =>
    machine.runs.slice(place === 0 ? 1 : 0).map((_, run) => outputsOf(machine, place === 0 ? run + 1 : run)),
  )
  const failedOf = (claimed: readonly Uint8Array[]) => countFails(claimed, own, unseen, limits)
  const honest = {
    runs: others.length * unseen.length,
    failed: others.reduce((failed, outputs) => failed + failedOf(outputs), 0),
  }
  const p0 = { numerator: honest.failed + UNSEEN_FAILS, denominator: honest.runs }

  const detections: Detection[] = []
  const cheats = cheapModels(model, rivals)
  let done = 0
  const onInput = () => onProgress(++done, cheats.length * inputs.length)
  for (const [cheat, cheap] of cheats) {
    const outputs = await runPlainly(cheap, inputs, onInput)
    const caught = failedOf(outputs)
    const detection = caught / unseen.length
    detections.push({
      cheat,
      runs: unseen.length,
      caught,
      detection,
      claimed: claims?.includes(cheat) ?? true,
    })
  }
  return {
    model: hex(sha256(model)),
    inputs: hex(inputsDigest(inputs)),
    machines: machines.map(({ machine, runs }) => ({
      machine,
      configurations: runs.map(({ configuration }) => configuration),
    })),
    spread: Object.fromEntries([...spreads].map(([name, { spread }]) => [name, spread])),
    margin: MARGIN,
    bounds,
    honest,
    p0,
    detections,
    refusals: [
      ...[...spreads]
        .filter(([name]) => !isBounded(name))
        .map(([name]) => `${name}: honest runs differ by as much as the numbers themselves`),
      ...(p0.numerator <= MAX_FALSE_FAIL_RATE * p0.denominator
        ? []
        : [`${honest.failed} of ${honest.runs} honest runs fail: too many, or too few runs to tell`]),
      ...Object.keys(decisions)
        .filter((name) => !spreads.has(name))
        .map((name) => `${name}: decides, but there is no such output of floating-point numbers`),
      ...(claims ?? detections.map(({ cheat }) => cheat)).flatMap((claim) => refusalOf(claim, detections)),
    ],
  }
}

function checkWork(runs: MachineRuns, model: Uint8Array, inputs: readonly Uint8Array[]): void {
  const isSame =
    Buffer.compare(runs.model, sha256(model)) === 0 && Buffer.compare(runs.inputs, inputsDigest(inputs)) === 0
  if (!isSame || runs.runs.some(({ picks }) => picks.length !== inputs.length)) {
    throw new CalibrationError('runs_of_other_work', `${runs.machine} ran another model or other inputs`)
  }
}

function distinctOutputs(machines: readonly MachineRuns[], input: number): Uint8Array[] {
  return machines.flatMap(({ outputs, runs }) => {
    const picks = new Set(runs.map(({ picks }) => picks[input]))
    return outputs.filter((_, place) => picks.has(place))
  })
}

function outputsOf(machine: MachineRuns | undefined, run: number): Uint8Array[] {
  const picks = machine?.runs[run]?.picks
  assert(machine !== undefined && picks !== undefined, 'a calibration has a machine that ran the model')
  return picks.flatMap((pick) => machine.outputs[pick] ?? [])
}

function countFails(
  claimed: readonly Uint8Array[],
  own: readonly Uint8Array[],
  places: readonly number[],
  bounds: TolerantBounds,
): number {
  const none = new Uint8Array(0)
  return places.filter(
    (place) => compareTolerant(claimed[place] ?? none, own[place] ?? none, bounds).verdict === 'fail',
  ).length
}

function cheapModels(
  model: Uint8Array,
  rivals: Readonly<Record<string, Uint8Array>>,
): [string, Uint8Array][] {
  const cheapened = WEIGHT_CHEATS.flatMap((cheat): [string, Uint8Array][] => {
    const cheap = cheapenModel(model, cheat)
    return cheap === null ? [] : [[cheat, cheap]]
  })
  return [...cheapened, ...Object.entries(rivals)]
}

function refusalOf(claim: string, detections: readonly Detection[]): string[] {
  const found = detections.find(({ cheat }) => cheat === claim)
  if (found === undefined) return [`${claim}: claimed, but there is no such cheat of this model`]
  if (isClaimable(found)) return []
  return [`${claim}: claimed, but only ${found.caught} of ${found.runs} are caught`]
}
