import { type Tier } from '../config/tiers.js';
import { type ToolInput } from './tool-input.js';

/** Hints of the MCP specification; all four are always stated. */
export interface ToolHints {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** A tool as data: lists, guardrails, docs, snapshots and audit all read this. */
export interface ToolDefinition {
  readonly name: string;
  readonly title: string;
  readonly tier: Tier;
  readonly description: string;
  readonly input: ToolInput;
  readonly hints: ToolHints;
  /** Whether clients that know the mark should have the user confirm each call, whatever was allowed before. */
  readonly requiresUserInteraction?: boolean;
}

const READING: ToolHints = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true };
const ACTING: ToolHints = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true };
const ENDING: ToolHints = { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true };

/** The hints a tier implies; a tool may state others where it differs. */
export const TIER_HINTS: Readonly<Record<Tier, ToolHints>> = {
  discover: READING,
  observe: READING,
  start: ACTING,
  interact: ACTING,
  approve: ACTING,
  destructive: ENDING,
};
