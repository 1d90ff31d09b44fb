import { XPublisher } from 'zeromq'

/** `sequence` messages (Bitcoin Core, doc/zmq.md), sent by hand: lost, out of order, or not at all. */
export interface LossyZmq extends AsyncDisposable {
  url: string
  /** Resolves when somebody listens. */
  subscribed: Promise<void>
  /** C, D: a block connected, disconnected; A, R: a transaction added, removed. */
  send(label: 'C' | 'D' | 'A' | 'R', counter: number): Promise<void>
  /** Frames as they are. */
  sendFrames(...frames: Uint8Array[]): Promise<void>
}

export async function openLossyZmq(): Promise<LossyZmq> {
  const socket = new XPublisher({ linger: 0 })
  await socket.bind('tcp://127.0.0.1:*')
  const url = socket.lastEndpoint
  if (url === null) throw new Error('not bound')
  const topic = Buffer.from('sequence')
  return {
    url,
    subscribed: socket.receive().then(() => undefined),
    async send(label, counter) {
      const body = Buffer.concat([Buffer.alloc(32), Buffer.from(label)])
      const sequence = Buffer.alloc(4)
      sequence.writeUInt32LE(counter)
      await socket.send([topic, body, sequence])
    },
    sendFrames: (...frames) => socket.send([topic, ...frames]),
    async [Symbol.asyncDispose]() {
      socket.close()
    },
  }
}
