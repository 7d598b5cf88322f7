/** What to call after something was sent. */
export const WAIT = 'Call session_wait(session_id, since=next_since).';
