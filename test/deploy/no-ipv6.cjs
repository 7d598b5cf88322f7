/** Loaded into a server process: makes the machine one without IPv6, where no socket of that family can be bound. */
const { Server } = require('node:net');

const { listen } = Server.prototype;

Server.prototype.listen = function (options, ...rest) {
  if (options?.host !== '::') return listen.call(this, options, ...rest);
  const error = Object.assign(new Error('listen EAFNOSUPPORT: address family not supported ::'), {
    code: 'EAFNOSUPPORT',
  });
  process.nextTick(() => this.emit('error', error));
  return this;
};
