import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Subscriber } from 'zeromq'
import { parseBtcAmount } from '../../anchor/amount.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'

/** BIP-173's example key, on regtest: nobody's here. */
const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'

async function blockCount(node: RegtestNode): Promise<unknown> {
  return node.rpc.call('getblockcount')
}

describe('two nodes at once', () => {
  let node: RegtestNode
  let other: RegtestNode

  beforeAll(async () => {
    ;[node, other] = await Promise.all([startBitcoind(), startBitcoind()])
  })

  afterAll(async () => {
    await Promise.all([node.stop(), other.stop()])
  })

  it('have chains, ports and datadirs of their own', async () => {
    await node.mine(2)
    expect(await blockCount(node)).toBe(2)
    expect(await blockCount(other)).toBe(0)
    expect(node.rpcUrl).not.toBe(other.rpcUrl)
    expect(node.zmqUrl).not.toBe(other.zmqUrl)
    expect(node.datadir).not.toBe(other.datadir)
    expect(node.version).toMatch(/^Satoshi:\d+\./)
  })

  it('have no peers and listen on loopback alone', async () => {
    expect(await node.rpc.call('getnetworkinfo')).toMatchObject({ connections: 0, localaddresses: [] })
    expect(await node.rpc.call('getblockchaininfo')).toMatchObject({ chain: 'regtest' })
    expect(await node.rpc.call('getindexinfo')).toEqual({})
  })

  it('mine more blocks than fit one call, to the address that was asked for', async () => {
    const before = Number(await blockCount(other))
    const hashes = await other.mine(103, ADDRESS)
    expect(new Set(hashes).size).toBe(103)
    expect(await blockCount(other)).toBe(before + 103)
    expect(await other.rpc.call('getblock', hashes[0], 2)).toMatchObject({
      tx: [{ vout: [{ scriptPubKey: { address: ADDRESS } }, {}] }],
    })
  })

  it('fund an address exactly, side by side, and leave the rest of the mempool unmined', async () => {
    const first = await node.fund(ADDRESS, 123_456_789n)
    await node.reorg(1)
    expect(await node.rpc.call('getrawmempool')).toEqual([first.txid])

    const amounts = [330n, 2_100_000_001n, 70_000n]
    const funded = await Promise.all(amounts.map((sats) => node.fund(ADDRESS, sats)))
    for (const [index, { txid, vout }] of funded.entries()) {
      const output = await node.rpc.call('gettxout', txid, vout, false)
      expect(output).toMatchObject({ scriptPubKey: { address: ADDRESS } })
      expect(parseBtcAmount(Object(output).value)).toBe(amounts[index])
    }
    expect(await node.rpc.call('getrawmempool')).toEqual([first.txid])
  })

  it('say when the chain has not that many coins', async () => {
    await expect(other.fund(ADDRESS, 300_000_000_000n)).rejects.toMatchObject({ code: 'regtest_funds_short' })
  })

  it('refuse a payment that Bitcoin would not relay, and fund the next one', async () => {
    await expect(node.fund(ADDRESS, 293n)).rejects.toMatchObject({ code: 'rpc_refused' })
    await node.fund(ADDRESS, 294n)
  })

  it('reorganise three blocks, and their transactions return to the mempool until they are mined again', async () => {
    await node.mine(1)
    const { txid, vout } = await node.fund(ADDRESS, 50_000n)
    await node.mine(2)
    const height = Number(await blockCount(node))

    const { disconnected, connected } = await node.reorg(3)
    expect(disconnected).toHaveLength(3)
    expect(connected).toHaveLength(4)
    expect(await node.rpc.call('getbestblockhash')).toBe(connected.at(-1))
    expect(await blockCount(node)).toBe(height + 1)
    expect(await node.rpc.call('getblockhash', height - 2)).toBe(connected[0])
    expect(await node.rpc.call('getrawmempool')).toContain(txid)
    expect(await node.rpc.call('gettxout', txid, vout, false)).toBeNull()
    expect(await node.rpc.call('getchaintips')).toContainEqual(
      expect.objectContaining({ hash: disconnected[2], status: 'valid-fork', branchlen: 3 }),
    )

    await node.mine(1)
    expect(await node.rpc.call('gettxout', txid, vout, false)).toMatchObject({ confirmations: 1 })
  })

  it('mine the returned transactions in the rival branch when asked to', async () => {
    const { txid, vout } = await node.fund(ADDRESS, 60_000n)
    const { connected } = await node.reorg(1, 5, { empty: false })
    expect(connected).toHaveLength(5)
    expect(await node.rpc.call('gettxout', txid, vout, false)).toMatchObject({ confirmations: 5 })
  })

  it('assert that a reorg stays within the chain', async () => {
    await expect(node.reorg(0)).rejects.toThrow('reorg depth 0')
    await expect(node.reorg(Number(await blockCount(node)) + 1)).rejects.toThrow('reorg depth')
  })

  it('publish the sequence of both branches over ZMQ', async () => {
    await node.mine(1)
    const subscriber = new Subscriber({ receiveTimeout: 20_000 })
    try {
      subscriber.subscribe('sequence')
      subscriber.connect(node.zmqUrl)
      // A subscription takes effect some time after connect: blocks until one is heard.
      let heard = false
      const first = subscriber.receive().then(() => {
        heard = true
      })
      while (!heard) await node.mine(1)
      await first

      const { disconnected, connected } = await node.reorg(1)
      const wanted = [`D${disconnected[0]}`, ...connected.map((hash) => `C${hash}`)]
      const seen: string[] = []
      while (seen.at(-1) !== wanted.at(-1)) {
        const [, body = Buffer.alloc(0)] = await subscriber.receive()
        seen.push(`${body.toString('latin1', 32, 33)}${body.toString('hex', 0, 32)}`)
      }
      expect(seen.slice(-3)).toEqual(wanted)
    } finally {
      subscriber.close()
    }
  })

  it('restart on the same chain and ports with another cookie, and the connection goes on', async () => {
    const height = await blockCount(node)
    const { rpcUrl, zmqUrl, pid } = node
    const cookie = await readFile(node.cookieFile, 'utf8')
    await node.restart()
    expect(await readFile(node.cookieFile, 'utf8')).not.toBe(cookie)
    expect(await blockCount(node)).toBe(height)
    expect([node.rpcUrl, node.zmqUrl]).toEqual([rpcUrl, zmqUrl])
    expect(node.pid).not.toBe(pid)
    await node.fund(ADDRESS, 1000n)
  })

  it('come back with the chain after SIGKILL', async () => {
    const height = await blockCount(node)
    await node.kill()
    await expect(blockCount(node)).rejects.toMatchObject({ code: 'rpc_unreachable', sent: 'no' })
    await node.kill()
    await node.restart()
    expect(await blockCount(node)).toBe(height)
  })
})

describe('the end of a node', () => {
  it('stops more than once, also at the same time, and removes the datadir that it made', async () => {
    const node = await startBitcoind()
    await Promise.all([node.stop(), node.stop()])
    await node.stop()
    expect(existsSync(node.datadir)).toBe(false)
    await expect(blockCount(node)).rejects.toMatchObject({ code: 'rpc_unreachable' })
    await expect(node.restart()).rejects.toThrow('stopped for good')
  })

  it('keeps a datadir that was given, and goes on from it', async () => {
    const datadir = await mkdtemp(path.join(os.tmpdir(), 'assay-datadir-'))
    try {
      {
        await using node = await startBitcoind({ datadir })
        await node.fund(ADDRESS, 10_000n)
      }
      await using node = await startBitcoind({ datadir })
      expect(await blockCount(node)).toBe(131)
      await node.fund(ADDRESS, 10_000n)
      expect(await blockCount(node)).toBe(132)
    } finally {
      await rm(datadir, { recursive: true })
    }
  })

  it.runIf(process.platform === 'linux')('comes with the end of its starter, even by SIGKILL', async () => {
    const module = path.resolve('regtest/start-bitcoind.ts')
    const script = `const { startBitcoind } = await import(${JSON.stringify(module)})
      const node = await startBitcoind()
      process.stdout.write(node.rpcUrl + ' ' + node.datadir)`
    const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(starter.stdout, 'data')
    const [url, datadir] = String(line).split(' ')
    starter.kill('SIGKILL')
    await once(starter, 'close')
    if (url === undefined || datadir === undefined) throw new Error(`no node: ${line}`)
    // The kernel delivers the node's SIGKILL with its parent's death; the port closes right after.
    const refused = async () =>
      fetch(url).then(
        () => false,
        () => true,
      )
    while (!(await refused()));
    await rm(datadir, { recursive: true })
  })
})

describe('a node that does not start', () => {
  it.each([
    ['is missing', '/nonexistent/bitcoind'],
    ['is no program', path.resolve('package.json')],
  ])('says so when the binary %s', async (_what, binary) => {
    await expect(startBitcoind({ binary })).rejects.toMatchObject({
      code: 'bitcoind_unavailable',
      message: expect.stringContaining(binary),
    })
  })

  it('passes on what bitcoind says, and leaves no datadir', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'assay-tmp-'))
    vi.stubEnv('TMPDIR', folder)
    try {
      await expect(startBitcoind({ extraArgs: ['-nosuchoption=1'] })).rejects.toMatchObject({
        code: 'bitcoind_exited',
        message: expect.stringContaining('-nosuchoption'),
      })
      expect(await readdir(folder)).toEqual([])
    } finally {
      vi.unstubAllEnvs()
      await rm(folder, { recursive: true })
    }
  })

  it('ends a program that is no bitcoind', async () => {
    await expect(startBitcoind({ binary: '/bin/true' })).rejects.toMatchObject({ code: 'bitcoind_exited' })
  })

  it('is called off by its signal', async () => {
    const abort = new AbortController()
    const starting = startBitcoind({
      signal: abort.signal,
      onProgress: ({ step }) => {
        if (step === 'start') abort.abort(new Error('called off'))
      },
    })
    await expect(starting).rejects.toThrow()
  })

  it('does not go on without a port that another program holds', async () => {
    await using node = await startBitcoind()
    const { port } = new URL(node.rpcUrl)
    await expect(startBitcoind({ extraArgs: [`-rpcport=${port}`] })).rejects.toMatchObject({
      code: 'bitcoind_exited',
      message: expect.stringContaining('HTTP server'),
    })
    await expect(startBitcoind({ extraArgs: [`-zmqpubsequence=${node.zmqUrl}`] })).rejects.toMatchObject({
      code: 'bitcoind_start_failed',
      message: expect.stringContaining('ZMQ'),
    })
  })

  it('refuses a second node on a datadir in use', async () => {
    await using node = await startBitcoind()
    await expect(startBitcoind({ datadir: node.datadir })).rejects.toMatchObject({
      code: 'bitcoind_exited',
      message: expect.stringContaining('lock'),
    })
  })
})
