import protobuf from 'protobufjs'

/**
 * The part of Triton's model configuration that is read here; names and field numbers are those of
 * protobuf/model_config.proto (github.com/triton-inference-server/common).
 */
const SCHEMA = `
syntax = "proto3";

enum DataType {
  TYPE_INVALID = 0;
  TYPE_BOOL = 1;
  TYPE_UINT8 = 2;
  TYPE_UINT16 = 3;
  TYPE_UINT32 = 4;
  TYPE_UINT64 = 5;
  TYPE_INT8 = 6;
  TYPE_INT16 = 7;
  TYPE_INT32 = 8;
  TYPE_INT64 = 9;
  TYPE_FP16 = 10;
  TYPE_FP32 = 11;
  TYPE_FP64 = 12;
  TYPE_STRING = 13;
  TYPE_BF16 = 14;
}
message ModelInput {
  string name = 1;
  DataType data_type = 2;
  repeated int64 dims = 4;
  bool is_shape_tensor = 6;
  bool allow_ragged_batch = 7;
  bool optional = 8;
  bool is_non_linear_format_io = 9;
}
message ModelOutput {
  string name = 1;
  DataType data_type = 2;
  repeated int64 dims = 3;
  bool is_shape_tensor = 6;
  bool is_non_linear_format_io = 7;
}
message ModelVersionPolicy {
  message Latest {
    uint32 num_versions = 1;
  }
  message All {}
  message Specific {
    repeated int64 versions = 1;
  }
  oneof policy_choice {
    Latest latest = 1;
    All all = 2;
    Specific specific = 3;
  }
}
message ModelTransactionPolicy {
  bool decoupled = 1;
}
message ModelConfig {
  string name = 1;
  string platform = 2;
  ModelVersionPolicy version_policy = 3;
  int32 max_batch_size = 4;
  repeated ModelInput input = 5;
  repeated ModelOutput output = 6;
  string default_model_filename = 8;
  string backend = 17;
  ModelTransactionPolicy model_transaction_policy = 19;
}
`

/** Fields that say how Triton runs a model, or what it shows of it: workers run it their own way, to the same end. */
const IGNORED: Readonly<Record<string, readonly string[]>> = {
  ModelConfig: [
    'dynamic_batching',
    'instance_group',
    'metric_tags',
    'model_metrics',
    'model_warmup',
    'optimization',
    'parameters',
    'response_cache',
  ],
  ModelInput: ['format'],
  ModelOutput: ['label_filename'],
}

/** Fields by which Triton would answer something else than the graph alone. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  ModelConfig: [
    'batch_input',
    'batch_output',
    'cc_model_filenames',
    'ensemble_scheduling',
    'model_operations',
    'model_repository_agents',
    'runtime',
    'sequence_batching',
  ],
  ModelInput: ['reshape'],
  ModelOutput: ['reshape'],
}

/** The configuration's message type. Of the fields that it lacks, `onIgnored` and `onRefused` are told those that Triton has; the others are errors. */
export function modelConfigType(told: {
  onIgnored: (field: string) => void
  onRefused: (field: string) => never
}): protobuf.Type {
  const { root } = protobuf.parse(SCHEMA)
  for (const message of ['ModelConfig', 'ModelInput', 'ModelOutput']) {
    // The parser of the text format asks this of each field that the schema lacks, and skips what is reserved.
    root.lookupType(message).isReservedName = (field) => {
      if (REFUSED[message]?.includes(field)) told.onRefused(field)
      const isIgnored = IGNORED[message]?.includes(field) ?? false
      if (isIgnored) told.onIgnored(field)
      return isIgnored
    }
  }
  return root.lookupType('ModelConfig')
}
