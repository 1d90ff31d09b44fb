import { Socket } from 'node:net'

// A thread of the runner process. Its parent holds the other end of standard input; when that end closes, the parent is gone, and this
// process ends even while a model blocks its main thread.
const LIFELINE_FD = 0
const lifeline = new Socket({ fd: LIFELINE_FD })
lifeline.on('close', () => process.kill(process.pid, 'SIGKILL')).resume()
