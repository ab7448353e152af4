/**
 * Encodes a pod in Kubernetes' protobuf format (k8s.io/api/core/v1/generated.proto). The encoder supports only the
 * fields that the attempts use.
 */

/**
 * A field of a message, with its number and its value. The value is a string, the bytes of another message, or true.
 */
type Field = readonly [number: number, value: string | Uint8Array | true];

function message(...fields: readonly Field[]): Uint8Array {
  const parts = fields.map(([number, value]) => {
    if (value === true) return Uint8Array.from([number << 3, 1]);
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    return Buffer.concat([Uint8Array.from([(number << 3) | 2]), varint(bytes.length), bytes]);
  });
  return Buffer.concat(parts);
}

function varint(value: number): Uint8Array {
  return value < 0x80 ? Uint8Array.from([value]) : Uint8Array.from([(value & 0x7f) | 0x80, value >> 7]);
}

/** A pod with one privileged container. */
export function privilegedPodAsProtobuf(name: string): Uint8Array {
  const container = message([1, 'main'], [2, 'example.org/app'], [15, message([2, true])]);
  const pod = message([1, message([1, name])], [2, message([2, container])]);
  // The format is a magic number, followed by runtime.Unknown (k8s.io/apimachinery/pkg/runtime/serializer/protobuf).
  return Buffer.concat([Buffer.from('k8s\0'), message([1, message([1, 'v1'], [2, 'Pod'])], [2, pod])]);
}
