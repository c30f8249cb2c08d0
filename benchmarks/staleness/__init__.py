"""Looks for reads that are older than a write that was acknowledged before they began, on the running stack.

Writers write numbered values over the API and note when each was acknowledged. Readers of several accounts read lists
and rows, through the edge and past it, and hold what they are told against what had been acknowledged when they asked.
Each value names its row, so that a row in the answer of somebody who may not see it is noticed by its bytes. While they
do so, parts of the stack are stopped, killed, emptied and cut off (`days`).
"""
