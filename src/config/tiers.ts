/** The effect of a tool, from reading to permanent deletion. Guardrails and scopes depend on it. */
export const TIERS = ['discover', 'observe', 'start', 'interact', 'approve', 'destructive'] as const;
export type Tier = (typeof TIERS)[number];

/** The tiers whose tools change nothing. */
export const READING_TIERS: readonly Tier[] = ['discover', 'observe'];
