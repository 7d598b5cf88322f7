/** What the doctor says about one thing: fine, open to more than one may want, worth knowing, or in need of a change. */
export type Finding = readonly [verdict: 'ok' | 'open' | 'note' | 'problem', text: string];
