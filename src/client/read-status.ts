import { askCoordinator } from './ask-coordinator.ts'
import { type ReadStatus, statusAnswer } from './status-answer.ts'

export async function readStatus(url: string): Promise<ReadStatus> {
  const response = await askCoordinator(url, '/v1/status')
  return statusAnswer.parse(await response.json())
}
