import { writeFileSync } from 'node:fs'
import { trainDigits } from './train-digits.ts'

// node train.ts OUT.onnx [SEED]: writes the model and prints one JSON line {accuracy, unseen}. A parent that forked it hears of each epoch.
const [outPath, seed] = process.argv.slice(2)
if (outPath === undefined) throw new Error('usage: train.ts OUT.onnx [SEED]')
const { model, accuracy, unseen } = await trainDigits((progress) => process.send?.(progress), seed)
writeFileSync(outPath, model)
process.stdout.write(`${JSON.stringify({ accuracy, unseen })}\n`)
process.disconnect?.()
