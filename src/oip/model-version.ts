/** A model is its bytes: another version has another digest, and is another subnet definition's. */
export const MODEL_VERSION = '1'
