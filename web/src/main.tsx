import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { setApiLanguage } from './api/client';
import { fetchIdentity, keys, queryClient } from './api/queries';
import { App } from './app/App';
import { I18nProvider, loadDictionary, preferredLanguage } from './i18n';
import { ToastProvider } from './ui/toast';
import './lib/theme';
import './styles/tokens.css';
import './styles/base.css';

const language = preferredLanguage();
setApiLanguage(language);
// Asked for while the words are on their way.
void queryClient.prefetchQuery({ queryKey: keys.me, queryFn: fetchIdentity, staleTime: Number.POSITIVE_INFINITY });

void loadDictionary(language).then((dictionary) => {
  const root = document.getElementById('root');
  if (!root) return;
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <I18nProvider initial={language} dictionary={dictionary}>
          <ToastProvider>
            <App />
          </ToastProvider>
        </I18nProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
});
