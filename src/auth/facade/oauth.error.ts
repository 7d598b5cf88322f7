import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';

/** A refusal in the words of OAuth (RFC 6749 §5.2). The description is ours, never what a caller or provider wrote. */
export class OAuthError extends HttpException {
  constructor(error: string, description: string, status = 400) {
    super({ error, error_description: description }, status);
  }
}

interface Reply {
  status(code: number): Reply;
  header(name: string, value: string): Reply;
  send(body: unknown): void;
}

/** Answers directly instead of by redirect, so that nothing is ever sent to an address that was not checked. */
@Catch(OAuthError)
export class OAuthErrorFilter implements ExceptionFilter {
  catch(error: OAuthError, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<Reply>();
    reply.status(error.getStatus()).header('cache-control', 'no-store').send(error.getResponse());
  }
}
