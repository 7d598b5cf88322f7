import { type Context, type ContextManager, ROOT_CONTEXT } from '@opentelemetry/api';
import { currentTrace, runInTrace } from '../../context/request.js';

/**
 * Keeps the place in a trace where the work itself is kept, rather than in an asynchronous store of its own. So work
 * that is shared by several calls is part of none of their traces either.
 */
export class ScopeContextManager implements ContextManager {
  active(): Context {
    return currentTrace() ?? ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    work: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return runInTrace(context, () => work.call(thisArg, ...args));
  }

  bind<T>(context: Context, target: T): T {
    if (typeof target !== 'function') return target;
    const work = target as unknown as (...args: unknown[]) => unknown;
    return function (this: unknown, ...args: unknown[]) {
      return runInTrace(context, () => work.apply(this, args));
    } as T;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}
