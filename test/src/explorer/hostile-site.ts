import type { Browser } from 'playwright-core'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import type { Peer } from '../coordinator/peer.ts'
import { openSite, type Site } from '../coordinator/site.ts'
import { TINY_MODEL, tinyMarket, tinyOutput } from '../coordinator/tiny-market.ts'
import { buildPages } from './built-pages.ts'
import { launchChromium } from './chromium.ts'

/** In every text that somebody else chooses: run as markup or script, each opens a dialog. */
export const HOSTILE_ORIGIN = `evil.example/"'><img/src=x/onerror=alert(1)>`
export const HOSTILE = `</td><script>alert(2)</script><img src=x onerror=alert(3)>" onfocus=alert(4) autofocus x="`
export const HOSTILE_SHORT = `<svg/onload=alert(5)>{{7*7}}`

/** A subnet that is only there to be shown. */
function hostileMarket() {
  const { models, ...market } = tinyMarket({ name: 'hostile', dataset: null, weight: 3 })
  const profile = {
    device: HOSTILE_SHORT,
    ort: '<b>1.30.0</b>',
    precision: 'fp32',
    provider: 'cpu',
    threads: 1,
  } as const
  return {
    ...market,
    models: models.map((model) => ({
      ...model,
      name: 'other',
      file: new Uint8Array([...TINY_MODEL]),
      license: { redistributable: true, source: HOSTILE, spdx: 'MIT' },
      profile: { ...profile, comparison: 'exact' as const, optimization: 'disabled' as const },
    })),
  }
}

/** As a worker that says what its work took, in words of its own. */
async function workTellingEnergy(peer: Peer): Promise<void> {
  const works = (await peer.lease()).map(({ job, inputs }, index) =>
    peer.answerWith(job, { index, energy: { method: HOSTILE_SHORT, millijoules: 14 } }, tinyOutput(inputs)),
  )
  await peer.call('/v1/results', { results: works })
  await peer.submit(peer.draft(works.map(({ receipt }) => receipt)))
}
/** A site with hostile names that has paid a worker, and a browser to look at it. */
export interface HostileSite extends AsyncDisposable {
  readonly node: RegtestNode
  /** Where the explorer's built pages are. */
  readonly explorer: string
  readonly site: Site
  readonly peers: readonly Peer[]
  readonly browser: Browser
}

export async function openHostileSite(): Promise<HostileSite> {
  const [node, pages, browser] = await Promise.all([startBitcoind(), buildPages(), launchChromium()])
  const explorer = pages.folder
  const site = await openSite(node, {
    explorer,
    flags: { origin: HOSTILE_ORIGIN },
    subnets: [tinyMarket(), hostileMarket()],
  })
  const peers = await site.begin(2)
  for (const peer of peers.slice(0, 2)) await workTellingEnergy(peer)
  await site.mineAudited(peers, 'a payout', () =>
    site.status().payouts.some(({ state }) => state === 'settled'),
  )
  return {
    node,
    explorer,
    site,
    peers,
    browser,
    async [Symbol.asyncDispose]() {
      await browser.close()
      await site[Symbol.asyncDispose]()
      await node.stop()
      pages[Symbol.dispose]()
    },
  }
}
