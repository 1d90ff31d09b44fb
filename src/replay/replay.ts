import type { LogRoots } from '../audit/log-roots.ts'
import { verifyCheckpoint } from '../log/checkpoint.ts'
import { type EntryOf, parseEntry } from '../log/entry.ts'
import { parseVerifierKey } from '../log/note-key.ts'
import { PART_LENGTH } from '../log/parts.ts'
import { leafHash } from '../log/rfc6962.ts'
import { openTreeEdge } from '../monitor/tree-edge.ts'
import { verifierKeyOf } from '../monitor/verifier-key.ts'
import { checkClaims } from './check-claims.ts'
import { checkEntry } from './check-entry.ts'
import { checkOverdue } from './check-overdue.ts'
import { checkTreasury } from './check-treasury.ts'
import { type Finding, type Findings, firstOf, openFindings, type RuleResult, readable } from './findings.ts'
import type { ReplaySource } from './replay-source.ts'
import { openReplayState, type ReplayState } from './replay-state.ts'
import { type MissedAudit, openSampleTally, type SampleCounts } from './sample-tally.ts'

export interface ReplayReport {
  /** Nothing differs, and no audit was missed. */
  readonly ok: boolean
  /** The first difference in the order of the log. */
  readonly first: Finding | null
  readonly rules: readonly RuleResult[]
  readonly entries: number
  /** Null where the genesis can't be read. */
  readonly origin: string | null
  readonly tipHeight: number
  /** Of all settled epochs: receipts, those that had to be audited, and those of them that weren't in time. */
  readonly sample: SampleCounts
  /** What outsiders can't recheck: the private subnets by name, and how many comparisons of outputs were left out for them. */
  readonly privateWork: { readonly subnets: readonly string[]; readonly comparisons: number }
  /** The operator's failures: audits that the beacon asked for and that have no verdict in time. The first of them. */
  readonly missedAudits: readonly MissedAudit[]
}

/**
 * Recomputes a whole log, entry by entry, from public data and the chain alone: with the operator's rules and none of its
 * state. Throws only what the source throws.
 */
export async function replay(source: ReplaySource, partLength = PART_LENGTH): Promise<ReplayReport> {
  return (await replayLog(source, partLength)).report
}

/** The report, and what the entries have come to: null where the log has no genesis. */
export async function replayLog(
  source: ReplaySource,
  partLength = PART_LENGTH,
): Promise<{ report: ReplayReport; state: ReplayState | null }> {
  const findings = openFindings()
  const tree = openTreeEdge()
  const sizes = new Set(source.anchors.map(({ size }) => size))
  const roots = new Map<number, Uint8Array>()
  let genesis: Uint8Array | null = null
  checkAnchors(findings, source)
  let state: ReplayState | null = null
  for await (const bytes of source.entries()) {
    const index = tree.size()
    tree.append(leafHash(bytes))
    genesis ??= new Uint8Array(bytes)
    if (sizes.has(tree.size())) roots.set(tree.size(), tree.root())
    const entry = readable(findings.at('log', index), () => parseEntry(bytes))
    if (state === null) {
      if (entry?.kind !== 'genesis') {
        findings.at('genesis', index)(false, 'genesis_missing', () => 'the first entry is no genesis')
        break
      }
      state = openReplayState(source, findings, entry, partLength)
    }
    if (entry !== null) await checkEntry(state, entry, index)
    const { claims } = source
    if (claims?.size === tree.size()) await checkClaims(state, claims)
  }
  if (state === null) {
    findings.at('genesis', 0)(tree.size() > 0, 'genesis_missing', () => 'the log is empty')
  } else {
    checkSeals(findings, source, {
      genesis,
      rootAt: (size) => roots.get(size) ?? null,
      gap: `${tree.size()} entries were read`,
    })
    checkHead(findings, source, state.genesis, { size: tree.size(), root: tree.root() })
    checkOverdue(state)
    await checkTreasury(state)
  }
  if (source.claims === null) findings.skip('balances')
  const rules = findings.results()
  const first = firstOf(rules)
  const sample = state?.sample ?? openSampleTally()
  const report = {
    ok: first === null && state !== null,
    first,
    rules,
    entries: tree.size(),
    origin: state?.genesis.origin ?? null,
    tipHeight: source.chain.tipHeight,
    sample: sample.counts(),
    privateWork: {
      subnets: [...(state?.privateWork.subnets ?? [])].sort(),
      comparisons: state?.privateWork.comparisons ?? 0,
    },
    missedAudits: sample.missed(),
  }
  return { report, state }
}

/** Blocks and log grow together. */
function checkAnchors(findings: Findings, { anchors }: ReplaySource): void {
  const check = findings.at('log', null)
  for (const [i, { height, size }] of anchors.entries()) {
    const last = anchors[i - 1]
    check(
      last === undefined || (last.height <= height && last.size <= size),
      'anchors_disordered',
      () =>
        `anchor ${i} over ${size} entries at block ${height} comes after ${last?.size} at ${last?.height}`,
    )
  }
}

/** The anchors are in the reader's chain, and commit to these very entries: who asks twice may be shown two logs. */
function checkSeals(findings: Findings, { anchors, followAnchors }: ReplaySource, log: LogRoots): void {
  if (followAnchors === null) {
    findings.skip('anchors')
    return
  }
  const { anchors: followed, break: broken } = followAnchors(log)
  for (let at = followed; at < anchors.length; at += 1) findings.skip('anchors')
  findings.at('anchors', null)(broken === null, broken?.code ?? '', () =>
    broken?.anchor === null ? broken.detail : `anchor ${broken?.anchor}: ${broken?.detail}`,
  )
}

/** The entries are those that the log's key has signed, and all that the operator speaks of is among them. */
function checkHead(
  findings: Findings,
  { checkpoint, claims }: ReplaySource,
  genesis: EntryOf<'genesis'>,
  { size, root }: { size: number; root: Uint8Array },
): void {
  const check = findings.at('log', null)
  const head = readable(check, () => verifyCheckpoint(checkpoint, parseVerifierKey(verifierKeyOf(genesis))))
  if (head === null) return
  check(
    head.size === size && Buffer.compare(head.root, root) === 0,
    'log_root_mismatch',
    () => `the ${size} entries do not lead to the signed root over ${head.size}`,
  )
  check(
    (claims?.size ?? 0) <= size,
    'log_shorter_than_claimed',
    () => `${size} entries, the operator spoke of ${claims?.size}`,
  )
}
