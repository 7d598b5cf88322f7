import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';

/** An error answer of OAuth (RFC 6749 §5.2). The description is a fixed text, never what a caller or provider wrote. */
export class OAuthError extends HttpException {
  constructor(error: string, description: string, status = 400) {
    super({ error, error_description: description }, status);
  }
}

/** The part of Fastify's reply that the facade uses. */
export interface OAuthReply {
  status(code: number): OAuthReply;
  header(name: string, value: string): OAuthReply;
  send(body?: unknown): void;
}

/** Answers directly instead of by redirect, so that nothing is ever sent to an address that was not checked. */
@Catch(OAuthError)
export class OAuthErrorFilter implements ExceptionFilter {
  catch(error: OAuthError, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<OAuthReply>();
    reply.status(error.getStatus()).header('cache-control', 'no-store').send(error.getResponse());
  }
}
