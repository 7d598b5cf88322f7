import { type Brush, type Paint, paintFor } from './paint.js';
import { cut, describeArguments, wrap } from './text.js';

const WIDTH = 100;
const NAME_COLUMN = 20;
const BODY_WIDTH = WIDTH - NAME_COLUMN;
/** Short arguments are padded to this, so that the answers beside them stand in one column. */
const ARGUMENTS_COLUMN = 29;
const SPEAKER_COLUMN = 10;

export type Mark = 'ok' | 'refused';

/** What one call looked like. */
export interface Exchange {
  readonly name: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly mark?: Mark;
  readonly answer: string;
}

/** Prints the story: a name column, and beside it what was asked and what came back. */
export class Stage {
  private readonly paint: Paint;
  private chapters = 0;

  constructor(private readonly out: NodeJS.WriteStream) {
    this.paint = paintFor(out);
  }

  title(title: string, subtitle: string): void {
    this.line(this.paint.bold(title));
    this.line(this.paint.dim(subtitle));
  }

  chapter(title: string, aside = ''): void {
    this.chapters += 1;
    const heading = `${this.chapters}  ${title}`;
    const gap = ' '.repeat(Math.max(2, WIDTH - heading.length - aside.length));
    this.line();
    this.line(this.paint.bold(this.paint.cyan(heading)) + (aside && this.paint.dim(gap + aside)));
  }

  /** The answer stands beside the arguments when it fits, otherwise below them. */
  exchange({ name, args = {}, mark = 'ok', answer }: Exchange): void {
    const asked = wrap(describeArguments(args), BODY_WIDTH);
    const last = asked.pop() ?? '';
    const beside = last === '' ? '' : `${last.padEnd(ARGUMENTS_COLUMN)} `;
    const fits = beside.length + 2 + answer.length <= BODY_WIDTH;
    const lines = fits
      ? [...asked.map(this.paint.dim), this.paint.dim(beside) + this.answered(mark, answer)]
      : [...[...asked, last].map(this.paint.dim), ...this.answerBelow(mark, answer)];
    this.named(name, this.paint.bold, lines);
  }

  /** Something that happened in the session, or a row of an answer. */
  detail(speaker: string, text: string, tone: 'plain' | 'quiet' | 'bad' = 'plain'): void {
    const brush: Brush = { plain: (words: string) => words, quiet: this.paint.dim, bad: this.paint.red }[tone];
    this.speech(this.paint.dim(speaker.padEnd(SPEAKER_COLUMN)), text, brush);
  }

  /** The moments at which a person decides. */
  human(verdict: string, text: string, allowed: boolean): void {
    const brush = allowed ? this.paint.green : this.paint.red;
    const label = (name: string) => this.paint.bold(this.paint.yellow(name));
    this.named('the human', label, [brush(verdict.padEnd(SPEAKER_COLUMN + 2)) + text]);
  }

  row(name: string, cells: string, mark: Mark): void {
    const sign = mark === 'ok' ? this.paint.green('✓') : this.paint.red('✗');
    this.named(name, this.paint.bold, [`${sign} ${cut(cells, BODY_WIDTH - 2)}`]);
  }

  summary(text: string): void {
    this.line();
    this.line(`${this.paint.green('✓')} ${this.paint.bold(text)}`);
  }

  failure(text: string): void {
    this.line();
    this.line(`${this.paint.red('✗')} ${text}`);
  }

  private answerBelow(mark: Mark, answer: string): string[] {
    const [first = '', ...rest] = wrap(answer, BODY_WIDTH - 2);
    return [this.answered(mark, first), ...rest.map((text) => `  ${text}`)];
  }

  private answered(mark: Mark, text: string): string {
    return mark === 'ok' ? `${this.paint.green('→')} ${text}` : `${this.paint.red('✗')} ${text}`;
  }

  private speech(label: string, text: string, brush: Brush): void {
    const lines = wrap(text.trimEnd(), BODY_WIDTH - SPEAKER_COLUMN - 2);
    lines.forEach((line, index) => {
      this.beside(`  ${index === 0 ? label : ' '.repeat(SPEAKER_COLUMN)}${brush(line)}`);
    });
  }

  private named(name: string, brush: Brush, [first = '', ...rest]: readonly string[]): void {
    this.line(`  ${brush(name.padEnd(NAME_COLUMN - 2))}${first}`);
    for (const text of rest) this.beside(text);
  }

  private beside(text: string): void {
    this.line(' '.repeat(NAME_COLUMN) + text);
  }

  private line(text = ''): void {
    this.out.write(`${text}\n`);
  }
}
