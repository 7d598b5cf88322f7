import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable } from '@nestjs/common';
import { type Observable, of } from 'rxjs';
import { answerHttpError } from './http-error.js';
import { errorResult } from './tool-error-mapping.js';

/** Turns exceptions into answers: tool errors for the model, JSON-RPC errors for HTTP. */
@Catch()
@Injectable()
export class McpExceptionFilter implements ExceptionFilter {
  catch(exception: unknown, host: ArgumentsHost): Observable<object> | undefined {
    // Returned rather than thrown, because mcp-nest would log a thrown one again.
    if (host.getType() === 'rpc') {
      return of(errorResult(exception));
    }
    answerHttpError(exception, host.switchToHttp().getResponse());
    return undefined;
  }
}
