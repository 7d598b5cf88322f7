/** How long an answer is given again, in milliseconds. Probes come every few seconds; anyone may send many more. */
const KEEP_MS = 1000;
/** A question that has no answer by then is answered with no, in milliseconds. Kubernetes waits a second. */
const TIMEOUT_MS = 800;

/**
 * The answer to a question that may go over the network, shared by all who ask: however many probes come, the question
 * is put at most once per second, and nobody waits long. What can be told at once is never kept.
 */
export class KeptAnswer {
  private asked?: Promise<boolean>;
  private askedAt = -Infinity;

  constructor(private readonly question: () => boolean | Promise<boolean>) {}

  get(): boolean | Promise<boolean> {
    if (this.asked && performance.now() - this.askedAt < KEEP_MS) return this.asked;
    const answer = this.question();
    if (typeof answer === 'boolean') return answer;
    this.askedAt = performance.now();
    return (this.asked = inTime(answer));
  }
}

async function inTime(answer: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, TIMEOUT_MS, false)));
  // A question that cannot be asked has no good answer; why is told where the connection is.
  const asked = answer.catch(() => false);
  return Promise.race([asked, tooLate]).finally(() => clearTimeout(timer));
}
