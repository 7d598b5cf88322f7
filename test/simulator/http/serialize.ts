import type { Pollution, Serialization } from '../options.js';

interface Writing {
  serialization: Serialization;
  pollution: Pollution;
}

/** Fields that the API's answers of 2026 did not have yet. */
const NEWER_FIELDS = new Set(['execution_identity', 'stop_details', 'workflow_run_id']);

/** Writes a body as the chosen era and pollution want it. */
export function serialize(value: unknown, { serialization: { era }, pollution }: Writing): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, field: unknown) {
    if (era !== 'current' && isNewer(this, key)) return undefined;
    // Always-allowed calls carried a null evaluation before the field was filled.
    if (era === '2026-08' && key === 'evaluation') return null;
    if (era === '2026-05' && key === 'evaluation') return undefined;
    return pollution.unknownFields && isApiObject(field) ? { ...field, from_the_future: { since: 2027 } } : field;
  });
}

function isNewer(holder: Record<string, unknown>, key: string): boolean {
  return NEWER_FIELDS.has(key) || (key === 'type' && 'permission_policy' in holder && 'name' in holder);
}

function isApiObject(field: unknown): field is Record<string, unknown> {
  return typeof field === 'object' && field !== null && 'type' in field && ('id' in field || 'content' in field);
}
