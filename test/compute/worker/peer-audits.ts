import { auditCommitment, checkCommitmentsSignature } from '../../../compute/work/audit-commitment.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { toHex } from '../work/read-vector.ts'
import { commitments, Problem, read, reveals } from './peer-body.ts'
import type { PeerJob } from './peer-job.ts'
import { PEER_ORIGIN } from './peer-log.ts'

export interface PeerAudit {
  job: PeerJob
  receipt: Uint8Array
  commitment: Uint8Array | null
  outputs: Uint8Array | null
  state: 'drawn' | 'committed' | 'revealed' | 'closed'
}

/** The peer's audits: drawn by a test, committed to and revealed by the worker. */
export function createPeerAudits() {
  const audits: PeerAudit[] = []

  function drawAudit(job: PeerJob): PeerAudit {
    const audit: PeerAudit = {
      job,
      receipt: Buffer.from(job.receipt, 'hex'),
      commitment: null,
      outputs: null,
      state: 'drawn',
    }
    audits.push(audit)
    return audit
  }

  function commit(key: Uint8Array, body: Uint8Array): { index: number } {
    const signed = { auditor: key, ...read(commitments, body) }
    if (!checkCommitmentsSignature(signed, PEER_ORIGIN)) throw new Problem(400, 'signature_invalid')
    const committed = signed.commitments.map(({ commitment, receipt }) => {
      const audit = audits.find((one) => toHex(one.receipt) === toHex(receipt) && one.state === 'drawn')
      if (audit === undefined) throw new Problem(409, 'audit_not_open')
      return { audit, commitment }
    })
    for (const { audit, commitment } of committed) Object.assign(audit, { commitment, state: 'committed' })
    return { index: 7 }
  }

  function reveal(key: Uint8Array, body: Uint8Array) {
    const verdicts = read(reveals, body).reveals.map(({ outputs, receipt, salt }) => {
      const audit = audits.find((one) => toHex(one.receipt) === toHex(receipt) && one.state === 'committed')
      if (audit?.commitment == null) throw new Problem(409, 'audit_not_open')
      const outputDigest = sha256(outputs ?? new Uint8Array())
      const expected = auditCommitment({ auditor: key, receipt, salt, outputDigest })
      if (toHex(expected) !== toHex(audit.commitment)) throw new Problem(400, 'commitment_mismatch')
      Object.assign(audit, { outputs, state: 'revealed' })
      const same = outputs !== null && toHex(outputs) === toHex(audit.job.outputs)
      return { receipt: toHex(receipt), verdict: outputs === null ? 'inconclusive' : same ? 'pass' : 'fail' }
    })
    return { verdicts }
  }

  return { audits, drawAudit, commit, reveal }
}
