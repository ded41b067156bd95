"""Files on their way into the PIM: fetched a piece at a time, from where they may be fetched.

addresses   which hosts and addresses may be asked
downloads   a file on the web, to a file on disk, within limits
places      the files of products: on the web, or beside the ERP's export in the bucket
"""
