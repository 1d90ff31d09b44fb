import { Socket } from 'node:net'
import { LIFELINE_FD } from './runner-fds.ts'

// A thread of the runner process, which hears its parent's end even while a model blocks the main thread.
const lifeline = new Socket({ fd: LIFELINE_FD })
// Nothing is ever said on it; without somebody who reads, its end would not be heard.
lifeline.resume()
// The other end is gone only with the parent, whatever the error.
lifeline.on('error', () => {})
lifeline.on('close', () => process.kill(process.pid, 'SIGKILL'))
