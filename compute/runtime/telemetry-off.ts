/**
 * ONNX Runtime's own builds since 1.29 keep a device identifier, a database and a log in /tmp for every process, and
 * send each session's file name, graph name and weight hashes to their maker. A private model's owner never agreed to
 * that, so it is off before the library loads: it reads the variable once.
 *
 * Source: microsoft/onnxruntime pull request 27379 (`ORT_DISABLE_TELEMETRY`).
 */
process.env.ORT_DISABLE_TELEMETRY = '1'
