import type { Peer } from '../coordinator/peer.ts'
import type { Site } from '../coordinator/site.ts'

export async function begin(site: Site, workers = 2): Promise<[Peer, Peer, Peer]> {
  const [first, second, ...others] = await site.begin(workers)
  const last = others.at(-1)
  if (first === undefined || second === undefined || last === undefined) throw new Error('too few peers')
  return [first, second, last]
}

export function settled(site: Site): Promise<void> {
  return site.mineUntil('the settlement', () => isSettled(site))
}

export function isSettled(site: Site, epoch = 0): boolean {
  return site.status().epochs.some((one) => one.number === epoch && one.settled)
}
