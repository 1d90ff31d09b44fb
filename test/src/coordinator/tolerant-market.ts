import { encodeTensorBundle, parseTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import { tinyMarket, tinyOutput } from './tiny-market.ts'

const [model] = tinyMarket().models
if (model === undefined) throw new Error('a market has a model')

/** The tiny market with bounds: a share of 1e-4 of each number. */
export const TOLERANT_MARKET = tinyMarket({
  models: [
    {
      ...model,
      profile: {
        bounds: [{ atol: { digits: 0, scale: 0 }, output: 'y', rtol: { digits: 1, scale: 4 }, top: null }],
        comparison: 'tolerant',
        detections: [],
        precision: 'fp32',
      },
    },
  ],
})

/** The right output, every number off by this share. */
export const offBy = (share: number) => (inputs: Uint8Array) =>
  encodeTensorBundle(
    parseTensorBundle(tinyOutput(inputs)).map((tensor) => {
      const floats = new Float32Array(Uint8Array.from(tensor.data).buffer)
      return { ...tensor, data: new Uint8Array(floats.map((value) => value * (1 + share)).buffer) }
    }),
  )
