import { type ReceivedSpan } from './received-span.js';

type Fields = Map<number, (Buffer | bigint)[]>;

/** Spans of an ExportTraceServiceRequest, by the field numbers of opentelemetry/proto/trace/v1. Attributes are left out. */
export function spansOf(request: Buffer): ReceivedSpan[] {
  return messages(request, 1)
    .flatMap((resourceSpans) => messages(resourceSpans, 2))
    .flatMap((scopeSpans) => messages(scopeSpans, 2))
    .map((span) => {
      const fields = read(span);
      const bytes = (field: number) => (fields.get(field)?.[0] ?? Buffer.alloc(0)) as Buffer;
      return {
        traceId: bytes(1).toString('hex'),
        spanId: bytes(2).toString('hex'),
        parentSpanId: bytes(4).toString('hex') || undefined,
        name: bytes(5).toString(),
        attributes: {},
        links: [],
      };
    });
}

function messages(message: Buffer, field: number): Buffer[] {
  return (read(message).get(field) ?? []) as Buffer[];
}

const WIRE_64_BIT = 1;
const WIRE_BYTES = 2;
const WIRE_32_BIT = 5;

function read(message: Buffer): Fields {
  const fields: Fields = new Map();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const bytes = (length: number) => message.subarray(at, (at += length));
  while (at < message.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    const value =
      wire === WIRE_BYTES
        ? bytes(Number(varint()))
        : wire === WIRE_64_BIT
          ? bytes(8)
          : wire === WIRE_32_BIT
            ? bytes(4)
            : varint();
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}
