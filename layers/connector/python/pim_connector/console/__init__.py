"""The console: what people see and decide, on AWS, on one machine and inside the PIM.

`sign_in.Door` says who is there (sessions, one-time codes, the PIM's users); `gate` asks it before
any page.

web         a browser's call and the door's answer
exchange    a request and a reply, as the pages know them; who is asking
routes      which address is which page, and what every reply has
parts       what pages read from and act through
rendering   templates, and how numbers, times and states are worded
history     who did what, and when
today, runs, approvals, products, sources, uploads, studio, assets, settings, help_pages, wizard
            the pages
"""
