import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PeerCoordinator, startPeerCoordinator } from './peer-coordinator.ts'

export interface DeliveryPeer extends AsyncDisposable {
  readonly peer: PeerCoordinator
  /** Of a worker's spool, in a folder of its own. */
  readonly path: string
}

/** To whom results and submissions go, and where they wait. */
export async function openDeliveryPeer(): Promise<DeliveryPeer> {
  const peer = await startPeerCoordinator()
  const folder = mkdtempSync(join(tmpdir(), 'assay-delivery-'))
  return {
    peer,
    path: join(folder, 'spool.sqlite'),
    async [Symbol.asyncDispose]() {
      await peer.close()
      rmSync(folder, { recursive: true })
    },
  }
}
