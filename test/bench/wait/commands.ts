/** What the benchmark tells the simulator's process; each command is answered by one message. */
export type Command =
  /** Plays every session's turn up to its last model request, which stays open. Answered by `true`. */
  | { readonly do: 'work' }
  /** Ends one turn every so many milliseconds; 0 ends all at once. Answered by {@link Endings}. */
  | { readonly do: 'end'; readonly everyMs: number }
  /** Answered by {@link Seen}. */
  | { readonly do: 'look' };

/** When the frame that ends the turn was written, by session, in milliseconds of the shared clock. */
export type Endings = Readonly<Record<string, number>>;

/** What the simulator has seen of the server so far. */
export interface Seen {
  readonly openStreams: number;
  /** The most that were ever open at once. */
  readonly peakStreams: number;
  /** Requests that opened a stream or listed events. */
  readonly reads: number;
}

/** Sent once the simulator can be called. */
export interface Ready {
  readonly url: string;
  readonly sessionIds: readonly string[];
}
