/** What a tool does to the world, from harmless to final. Guardrails and scopes decide by it. */
export const TIERS = ['discover', 'observe', 'start', 'interact', 'approve', 'destructive'] as const;
export type Tier = (typeof TIERS)[number];

/** Those whose tools change nothing. */
export const READING_TIERS: readonly Tier[] = ['discover', 'observe'];
