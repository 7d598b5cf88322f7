/**
 * Puts the connections of this Node's fetch where other versions of Node have them: DISPATCHER_PLACES=both in two places
 * at once, of which fetch reads the older one (Node 24); wrapper in the newer one, and in the older one what passes on to
 * it and cannot be made from nothing (Node 26).
 */
const OLDER = Symbol.for('undici.globalDispatcher.1');
const NEWER = Symbol.for('undici.globalDispatcher.2');

class Dispatcher1Wrapper {
  constructor(dispatcher) {
    if (typeof dispatcher?.dispatch !== 'function')
      throw new TypeError('Argument dispatcher must implement Dispatcher');
  }

  dispatch(...call) {
    return globalThis[NEWER].dispatch(...call);
  }
}

// Node makes its dispatcher when something of fetch is used for the first time.
new globalThis.Request('http://localhost');
const dispatcher = globalThis[OLDER];
globalThis[NEWER] = dispatcher;
if (process.env.DISPATCHER_PLACES === 'wrapper') globalThis[OLDER] = new Dispatcher1Wrapper(dispatcher);
