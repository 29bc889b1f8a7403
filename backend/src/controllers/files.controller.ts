import { fileBehindLink } from '../services/file-links.service.ts';
import type { ManualContext } from '../types/context.ts';

export const getLinkedFile = (ctx: ManualContext<null>, { params }: { params: { token: string } }) =>
  fileBehindLink(ctx, params.token);
