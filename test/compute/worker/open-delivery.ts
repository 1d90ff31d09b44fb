import type { CheckAcknowledgement } from '../../../compute/worker/acknowledgement.ts'
import { openCoordinatorClient } from '../../../compute/worker/coordinator-client.ts'
import { createDelivery, type Delivery } from '../../../compute/worker/delivery.ts'
import { openExchange } from '../../../compute/worker/exchange.ts'
import { openSpool, type Spool } from '../../../compute/worker/spool.ts'
import type { WorkerEvent } from '../../../compute/worker/worker-event.ts'
import { PEER_ORIGIN } from './peer-log.ts'

/** A delivery over HTTP from a spool file; `run` closes the file behind itself. */
export function openDelivery(o: {
  url: string
  path: string
  secretKey: Uint8Array
  checkAcknowledgement?: CheckAcknowledgement
  /** Around the spool's own. */
  aroundSync?: (sync: Spool['sync']) => Promise<void>
  onEvent: (event: WorkerEvent) => void
}): Delivery & Pick<Spool, 'backlog'> {
  const { signal } = new AbortController()
  const { aroundSync = (sync) => sync() } = o
  const opened = openSpool(o.path)
  const spool = { ...opened, sync: () => aroundSync(opened.sync) }
  const exchange = openExchange({
    url: o.url,
    signer: { origin: PEER_ORIGIN, secretKey: o.secretKey },
    signal,
    onRetry: () => {},
  })
  const client = openCoordinatorClient(exchange)
  const delivery = createDelivery({
    checkAcknowledgement: () => {},
    ...o,
    client,
    spool,
    origin: PEER_ORIGIN,
    signal,
  })
  return { ...delivery, backlog: spool.backlog, run: () => delivery.run().finally(() => spool.closeFile()) }
}
