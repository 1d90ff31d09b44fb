import { writeFileSync } from 'node:fs'
import { trainDigits } from './train-digits.ts'

// node train.ts OUT.onnx: writes the model and prints one JSON line {accuracy, unseen}. A parent that forked it hears of each epoch.
const outPath = process.argv[2]
if (outPath === undefined) throw new Error('usage: train.ts OUT.onnx')
const { model, accuracy, unseen } = await trainDigits((progress) => process.send?.(progress))
writeFileSync(outPath, model)
process.stdout.write(`${JSON.stringify({ accuracy, unseen })}\n`)
process.disconnect?.()
