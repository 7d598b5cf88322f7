type Work = () => Promise<void>;

/** What has been opened is closed, the last one first, whatever happened in between. */
export class Cleanup {
  private readonly works: Work[] = [];

  later(work: Work): void {
    this.works.push(work);
  }

  /** One that fails does not keep the others from being closed. */
  async run(): Promise<void> {
    const work = this.works.pop();
    if (!work) return;
    try {
      await work();
    } finally {
      await this.run();
    }
  }
}
