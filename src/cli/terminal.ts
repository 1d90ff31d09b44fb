import { toJson } from '../api/json.ts'
import { escapeControls } from './escape-controls.ts'

/** Where a command writes: people read lines, programs one JSON value as the last line of standard output. */
export interface Terminal {
  readonly json: boolean
  /** A line for people; goes to standard error under --json, so that standard output stays a program's. */
  line(text: string): void
  /** The command's result: printed as JSON under --json, else through `render`. */
  result<T>(value: T, render: (value: T) => string): void
}

export function openTerminal(json: boolean): Terminal {
  return {
    json,
    line: (text) => void (json ? process.stderr : process.stdout).write(`${escapeControls(text)}\n`),
    result: (value, render) =>
      void process.stdout.write(`${json ? toJson(value) : escapeControls(render(value))}\n`),
  }
}
