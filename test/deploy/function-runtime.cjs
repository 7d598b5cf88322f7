/**
 * Stands in for Lambda's runtime: loads the file named first, and calls its handler with the events it is sent. A call
 * that takes longer than it may has no answer.
 */
const { handler } = require(process.argv[2]);

process.on('message', async ({ id, event, remainingMs }) => {
  const deadline = Date.now() + remainingMs;
  const context = { awsRequestId: `request-${id}`, getRemainingTimeInMillis: () => deadline - Date.now() };
  let timer;
  const timeOut = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Task timed out after ${remainingMs} ms`)), remainingMs);
  });
  try {
    process.send({ id, answer: await Promise.race([handler(event, context), timeOut]) });
  } catch (error) {
    process.send({ id, error: { name: error.name, message: error.message } });
  } finally {
    clearTimeout(timer);
  }
});
