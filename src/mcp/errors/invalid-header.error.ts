import { BadRequestException } from '@nestjs/common';

/** A header with a value that is not understood. The message says which are. */
export class InvalidHeaderError extends BadRequestException {}
