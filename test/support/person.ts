import { type Client, type ElicitResult, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import { newClient } from './client.js';

/** What a client is asked to show. */
export interface Form {
  readonly message: string;
  readonly requestedSchema: { readonly properties: Record<string, { enum?: string[] }>; readonly required?: string[] };
}

export type Filled = Pick<ElicitResult, 'action' | 'content'>;

export const ALLOW: Filled = { action: 'accept', content: { decision: 'allow' } };
export const DENY: Filled = { action: 'accept', content: { decision: 'deny', reason: 'Not on a Friday.' } };

/** A person at a client that can show forms. */
export class Person {
  /** The forms shown so far. */
  readonly forms: Form[] = [];
  readonly client: Client;

  /** @param fill what the person makes of each form, in the order in which they are shown */
  constructor(mode: VersionNegotiationMode, fill: (form: Form, index: number) => Filled) {
    this.client = newClient(mode, { elicitation: { form: {} } });
    this.client.setRequestHandler('elicitation/create', ({ params }) => {
      const form = params as unknown as Form;
      this.forms.push(form);
      return { ...fill(form, this.forms.length - 1) };
    });
  }
}
