import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { registerInference } from '../../../src/metrics/inference-metrics.ts'
import { openModelStatistics } from '../../../src/oip/model-statistics.ts'
import { parseScrape } from './scrape.ts'

test('requests are shown under Triton’s names, by model and version', async () => {
  const statistics = openModelStatistics()
  const answered = statistics.begin('mlp', '3')
  for (const step of [answered.asked, answered.taken, answered.answered]) step()
  answered.succeeded(32)
  statistics.begin('mlp', '3')
  const refused = [
    'queue_full',
    'deadline_exceeded',
    'requester_left',
    'request_failed',
    'answer_invalid',
    '',
  ]
  for (const code of refused) statistics.begin('mlp', '3').failed(Object.assign(new Error(), { code }))
  const { success, queue } = statistics.of('mlp', '3')
  Object.assign(success, { ns: 7_000_000 })
  Object.assign(queue, { ns: 2_000_000 })

  const registry = new Registry()
  registerInference(statistics, registry)
  const { samples } = parseScrape(await registry.metrics())
  const of = (name: string, reason = '') =>
    samples.get(`nv_inference_${name}{model="mlp",version="3"${reason && `,reason="${reason}"`}}`)
  expect(of('request_success')).toBe(1)
  expect(of('count')).toBe(32)
  expect(of('exec_count')).toBe(1)
  expect(of('pending_request_count')).toBe(1)
  expect(of('request_duration_us')).toBe(7_000)
  expect(of('queue_duration_us')).toBe(2_000)
  for (const step of ['input', 'infer', 'output'])
    expect(of(`compute_${step}_duration_us`)).toBeGreaterThanOrEqual(0)
  const failures = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER']
  expect(failures.map((reason) => of('request_failure', reason))).toEqual([2, 1, 2, 1])
})
