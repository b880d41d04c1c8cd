"""Neural models of others: VBPR, CLCRec, DropoutNet."""
