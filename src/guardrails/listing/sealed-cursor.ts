import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AnthropicSettings } from '../../config/anthropic.settings.js';
import { ApprovalSettings } from '../../config/approval.settings.js';
import { ToolError } from '../../mcp/errors/tool-error.js';

/*
 * Bytes: nonce 12, ciphertext, tag 16. Random nonces of 96 bits are good for 2^32 cursors under one key (NIST SP 800-38D
 * §8.3).
 */
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const SHAPE = /^[\w-]+$/;

/**
 * Page cursors of filtered lists. The API's own name the item at the end of its page, which need not be one the caller
 * may know of; and somebody else's cursor would say where to go on in a list that looks different to everybody. So they
 * are sealed, and bound to the caller and the list. The key comes from a secret that replicas share: the API key or,
 * where there is none (workload identity), the one of approvals. Without either, a cursor holds until the process that
 * gave it ends.
 */
@Injectable()
export class SealedCursor {
  private readonly key: Buffer;

  constructor({ apiKey }: AnthropicSettings, approvals: ApprovalSettings) {
    const secret = apiKey ?? approvals.secret ?? randomBytes(KEY_BYTES);
    this.key = Buffer.from(hkdfSync('sha256', secret, '', 'managed-agent-control page cursor', KEY_BYTES));
  }

  /** @param owner what the cursor is bound to */
  seal(cursor: string, owner: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.key, nonce).setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([nonce, cipher.update(cursor, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return sealed.toString('base64url');
  }

  open(sealed: string, owner: string): string {
    const bytes = SHAPE.test(sealed) ? Buffer.from(sealed, 'base64url') : Buffer.alloc(0);
    if (bytes.length <= NONCE_BYTES + TAG_BYTES) throw invalidPage();
    const decipher = createDecipheriv(CIPHER, this.key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(owner)).setAuthTag(bytes.subarray(-TAG_BYTES));
    const opened = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
    try {
      return Buffer.concat([opened, decipher.final()]).toString('utf8');
    } catch (error) {
      throw invalidPage(error);
    }
  }
}

function invalidPage(cause?: unknown): ToolError {
  return new ToolError(
    'page is not a next_page that this list gave you. Pass next_page unchanged, or leave page out to begin again.',
    'invalid_page',
    { cause },
  );
}
