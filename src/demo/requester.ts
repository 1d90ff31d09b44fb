import { z } from 'zod'
import { until } from './until.ts'

const answerSchema = z.object({
  outputs: z.array(z.object({ name: z.string(), data: z.array(z.number()) })),
  parameters: z.object({ assay_receipt_id: z.string() }),
})

export interface DigitAnswer {
  readonly digit: number
  readonly receiptId: string
}

const CLIENTS = 8
const ANSWER_LIMIT_MS = 60_000

/**
 * Asks for each row over the Open Inference Protocol, as any Triton or KServe client would, eight at a time. A broken
 * connection is asked again: that is what a requester whose coordinator was killed does.
 */
export async function askDigits(
  url: string,
  rows: readonly Float32Array[],
  onAnswer: (answer: DigitAnswer) => void,
): Promise<DigitAnswer[]> {
  const answers = new Array<DigitAnswer>(rows.length)
  let next = 0
  async function client(): Promise<void> {
    for (let i = next++; i < rows.length; i = next++) {
      const row = rows[i]
      if (row === undefined) return
      const answer = await until(`the answer to request ${i}`, ANSWER_LIMIT_MS, () => askOnce(url, row))
      answers[i] = answer
      onAnswer(answer)
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  return answers
}

/** Null where the coordinator isn't there, or can't answer now. */
async function askOnce(url: string, row: Float32Array): Promise<DigitAnswer | null> {
  const body = { inputs: [{ name: 'pixels', shape: [1, row.length], datatype: 'FP32', data: [...row] }] }
  let response: Response
  let text: string
  try {
    response = await fetch(`${url}/v2/models/digits/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    text = await response.text()
  } catch {
    return null
  }
  if (response.status === 503) return null
  if (!response.ok) throw new Error(`the coordinator answered ${response.status}: ${text}`)
  const { outputs, parameters } = answerSchema.parse(JSON.parse(text))
  const logits = outputs[0]?.data ?? []
  return { digit: logits.indexOf(Math.max(...logits)), receiptId: parameters.assay_receipt_id }
}
