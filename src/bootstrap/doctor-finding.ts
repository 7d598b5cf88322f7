/** A result of the doctor: valid, allowed although it may be unwanted, worth knowing, or in need of a change. */
export type Finding = readonly [verdict: 'ok' | 'open' | 'note' | 'problem', text: string];
