import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AnthropicSettings } from '../config/anthropic.settings.js';
import { ApprovalSettings } from '../config/approval.settings.js';

/*
 * Bytes: version 1, nonce 12, ciphertext (expiry 4, then JSON), tag 16. Random nonces of 96 bits are good for 2^32 tokens
 * under one key (NIST SP 800-38D §8.3). Not the CompactEncrypt of `jose`, which this server has for access tokens: its
 * header adds 44 characters to each token that a model has to repeat, and it encrypts asynchronously.
 */
const VERSION = 1;
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const EXPIRY_BYTES = 4;
const MIN_BYTES = 1 + NONCE_BYTES + EXPIRY_BYTES + TAG_BYTES;
const SHAPE = /^[\w-]+$/;

/** What a token is valid for. A token opens only with exactly the same purpose and binding. */
export interface TokenUse {
  /** The kind of token, such as `page of a list`. */
  readonly purpose: string;
  /** The caller, and whatever else has to be the same when the token comes back. */
  readonly binding: readonly (string | undefined)[];
}

/**
 * The codec of opaque tokens that a client carries from one call to the next: encrypted, authenticated, and bound to a
 * purpose, a caller and optionally an expiry. The key is derived from a secret that replicas share: the approval secret or,
 * without one, the API key. Without either (workload identity), tokens are valid until the process ends.
 *
 * The cursor of event logs is not one of these: it holds no more than its reader has seen, and every character counts.
 */
@Injectable()
export class SealedTokens {
  private readonly key: Buffer;

  constructor({ apiKey }: AnthropicSettings, approvals: ApprovalSettings) {
    const secret = approvals.secret ?? apiKey ?? randomBytes(KEY_BYTES);
    this.key = Buffer.from(hkdfSync('sha256', secret, '', 'managed-agent-control sealed token', KEY_BYTES));
  }

  /**
   * @param content any JSON value
   * @param ttlSeconds how long the token is valid; without a limit when absent
   */
  seal(content: unknown, use: TokenUse, ttlSeconds?: number): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.key, nonce).setAAD(boundTo(use));
    const expiry = Buffer.alloc(EXPIRY_BYTES);
    if (ttlSeconds !== undefined) expiry.writeUInt32BE(nowSeconds() + ttlSeconds);
    const sealed = [cipher.update(expiry), cipher.update(JSON.stringify(content), 'utf8'), cipher.final()];
    return Buffer.concat([Buffer.of(VERSION), nonce, ...sealed, cipher.getAuthTag()]).toString('base64url');
  }

  /** The content; undefined when the token was changed, has expired, or was sealed for another use or by another key. */
  open(token: string, use: TokenUse): unknown {
    const bytes = SHAPE.test(token) ? Buffer.from(token, 'base64url') : Buffer.alloc(0);
    // Node also decodes text with stray bits; only the exact text that was written is valid.
    if (bytes.length <= MIN_BYTES || bytes[0] !== VERSION || bytes.toString('base64url') !== token) return undefined;
    const opened = this.decrypt(bytes.subarray(1), use);
    const expiry = opened?.readUInt32BE(0);
    if (!opened || (expiry !== 0 && expiry! <= nowSeconds())) return undefined;
    return JSON.parse(opened.toString('utf8', EXPIRY_BYTES));
  }

  private decrypt(bytes: Buffer, use: TokenUse): Buffer | undefined {
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(CIPHER, this.key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(boundTo(use)).setAuthTag(bytes.subarray(-TAG_BYTES));
    const opened = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
    try {
      return Buffer.concat([opened, decipher.final()]);
    } catch {
      return undefined;
    }
  }
}

function boundTo({ purpose, binding }: TokenUse): Buffer {
  return Buffer.from(JSON.stringify([VERSION, purpose, ...binding]));
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
