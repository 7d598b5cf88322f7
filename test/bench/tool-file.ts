/** The tools of the server under test, as the bare server reads them: it must not load what the decorators load. */
export const TOOLS_FILE = 'tools.json';

export interface ToolEntry {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: Readonly<Record<string, boolean | string>>;
  readonly inputSchema: Record<string, unknown>;
}
