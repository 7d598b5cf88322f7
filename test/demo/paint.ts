/** Colour where a person looks on, and nowhere else; see no-color.org. */
export interface Paint {
  readonly bold: Brush;
  readonly dim: Brush;
  readonly cyan: Brush;
  readonly green: Brush;
  readonly red: Brush;
  readonly yellow: Brush;
}

export type Brush = (text: string) => string;

export function paintFor(out: NodeJS.WriteStream): Paint {
  const coloured = out.isTTY && !process.env.NO_COLOR;
  const brush =
    (on: number, off: number): Brush =>
    (text) =>
      coloured && text !== '' ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return {
    bold: brush(1, 22),
    dim: brush(2, 22),
    cyan: brush(36, 39),
    green: brush(32, 39),
    red: brush(31, 39),
    yellow: brush(33, 39),
  };
}
